// Which members the records of each list have, of what type, as the public facts about the API say.
// "!": set by the studio's own software; what a request says of it is not looked at. id, created,
// modified and links are so in every list.
#pragma once

#include <string_view>

namespace garland::tave::twin_of {

struct List {
  std::string_view path;
  std::string_view members; // "name:type"
  std::string_view required;
  bool creates;             // and changes and deletes: POST, PUT, DELETE
  std::string_view filters; // by which it can be asked, besides page, pageSize and sortBy
};

inline constexpr List lists[] = {
    {"job",
     "accountBalance:money! bookingDate:date brandId:id closed:boolean closedReasonId:id closedDate:date "
     "closedReasonName:text! completedDate:date contactFormId:id creditBalance:money! customFields:array "
     "customNumber:text eventDate:date externalMappings:array fulfillmentDate:date guestCount:integer "
     "inquiryDate:date jobTypeId:id jobTypeName:text! lastClientActivity:moment! "
     "leadConfidence:one(low|medium|high|None) leadDecisionExpectedByDate:date leadMaxBudget:integer "
     "leadNotes:text leadRating:integer leadSourceId:id leadSourceName:text! leadStatusId:id "
     "leadStatusName:text! leadStatusChangedAt:moment! name:text nextInteractionDate:date "
     "nextInteractionItem:text! pinned:any primarySessionId:id previousInteractionDate:date "
     "previousInteractionItem:text! sample:boolean! stage:one(lead|booked|fulfillment|completed) "
     "staleDate:date "
     "title:text totalCost:money! totalProfit:money! totalRevenue:money! webLead:boolean! workflowId:id "
     "workflowName:text!",
     "", true, "includeClosed externalMappingId"},
    {"address-book",
     "hidden:boolean address:object chatAccount1:object chatAccount2:object chatAccount3:object "
     "customFields:array customNumber:text email:email externalMappings:array facebookUsername:text "
     "kind:one(company|employee|location|person) notes:array pinned:any secondaryEmail:email "
     "totalCost:money! "
     "totalRevenue:money! twitterUsername:text url:text accountBalance:money! anniversary:date "
     "anonymized:boolean! "
     "bestDayToCall:one(weekdays|weekends|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays) "
     "bestTimeToCall:one(mornings|afternoons|evenings) birthdate:date brandId:id cellPhone:text "
     "companyName:text contactPreference:one(email|cell-phone|home-phone|work-phone|None) "
     "creditBalance:money! "
     "fax:text firstName:text gender:one(male|female|None) homePhone:text jobTitle:text lastName:text "
     "maidenName:text mailingAddress:object name:text previousClient:boolean privacyOptIn:boolean "
     "requireStrictPrivacy:boolean salutation:one(mr|miss|mrs|ms|dr|None) schoolGradYear:integer "
     "schoolName:text sport:text startingCost:money startingRevenue:money teamName:text teamPosition:text "
     "vendorRoleId:id workPhone:text accountNumber:text phone:text primaryContactFirstName:text "
     "primaryContactLastName:text tollFree:text",
     "kind", true, "includeHidden email"},
    {"job-contact",
     "hidden:boolean client:boolean contactId:id externalMappings:array jobId:id jobRoles:array "
     "roleKinds:array",
     "contactId jobId", true, "includeHidden externalMappingId contactId jobId"},
    {"event",
     "hidden:boolean allDay:boolean channel:one(InPerson|Phone|Virtual) confirmed:boolean "
     "descriptionHtml:text "
     "endDate:date endTime:time endUtc:moment! externalMappings:array galleryId:id jobId:id location:object "
     "name:text phoneNumber:object readOnly:boolean! startDate:date startTime:time startUtc:moment! "
     "timezoneName:text timezoneId:id typeId:id virtualUrl:text",
     "", true, "includeHidden externalMappingId jobId"},
    {"note", "hidden:boolean authorId:id contactId:id contentHtml:text date:date jobId:id", "contentHtml",
     true, "includeHidden externalMappingId jobId"},
    {"payment",
     "hidden:boolean jobId:id payerId:id paymentMethodId:id invoiceItemId:id "
     "status:one(future|confirmed-future|posted|failed|pending) amount:money refundedAmount:money memo:text "
     "checkNumber:text transactionId:text authCode:text received:date processedViaClientAccess:boolean "
     "refunds:array paymentAllocations:array",
     "jobId amount", true, ""},
    {"order",
     "hidden:boolean lineItems:array preTaxDiscount:object afterTaxDiscount:object taxGroupId:id tax1:object "
     "tax2:object tax3:object taxCombined:object taxIsCompounding:boolean subtotal:object total:money "
     "jobId:id "
     "recipientId:id customNumber:text dueDate:date name:text title:text referenceCode:text "
     "status:one(draft|open|paid-in-full|completed|voided) bookedElectronically:boolean "
     "bookedFromQuote:boolean bookedOn:date balance:money paymentTermsId:id paymentTermsName:text "
     "paymentAllocations:array invoices:array",
     "", false, ""},
    {"rest-hook",
     "hidden:boolean event:one(contact.created|job.created|order.booked|payment.created) limitTo:object "
     "url:text",
     "event url", true, "includeHidden"},
};

} // namespace garland::tave::twin_of
